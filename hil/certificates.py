"""Certificates for tests and benches: an authority of its own, a broker's and a rig's, as files."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.UTC)
DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
PLAIN = serialization.NoEncryption()
Key = ec.EllipticCurvePrivateKey
Names = list[x509.GeneralName]


class Authority:
    """Whom both sides believe."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site authority")])
        self.certificate = self._signed(self._name, self._key, [], authority=True)

    def issue(self, name: str, names: Names, days: int = 1) -> tuple[x509.Certificate, Key]:
        """(certificate, key) for that name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return self._signed(subject, key, names, days=days), key

    def _signed(
        self, subject: x509.Name, key: Key, names: Names, *, authority: bool = False, days: int = 1
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - datetime.timedelta(days=3))
            .not_valid_after(NOW + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        return builder.sign(self._key, hashes.SHA256())


def broker_files(folder: Path, authority: Authority, host: str, days: int = 1) -> None:
    """ca.pem, broker.pem, broker.key: what a broker is given."""
    names: Names = [x509.DNSName(host), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate, key = authority.issue(host, names, days)
    (folder / "ca.pem").write_bytes(authority.certificate.public_bytes(PEM))
    (folder / "broker.pem").write_bytes(certificate.public_bytes(PEM))
    (folder / "broker.key").write_bytes(
        key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, PLAIN)
    )


def rig_files(folder: Path, authority: Authority, name: str = "") -> None:
    """tls/ of a rig's flash; with a name it has a certificate of its own."""
    (folder / "tls").mkdir(parents=True)
    (folder / "tls" / "ca.der").write_bytes(authority.certificate.public_bytes(DER))
    if name:
        certificate, key = authority.issue(name, [])
        (folder / "tls" / "rig.der").write_bytes(certificate.public_bytes(DER))
        (folder / "tls" / "rig-key.der").write_bytes(
            key.private_bytes(DER, serialization.PrivateFormat.TraditionalOpenSSL, PLAIN)
        )
