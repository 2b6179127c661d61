"""Certificates as they are found: whole, ended, soon to end, with somebody else's key."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from supervisor.config import load
from supervisor.doctor.certificates import certificates

SETTINGS = """[site]
name = "ridge-1"
limit_mw = 1.0
[signal.csip]
url = "https://utility.example"
cert_file = "site.pem"
key_file = "site.pem.key"
"""
DAY = datetime.timedelta(days=1)


def made(folder, name, from_days, to_days):
    """A certificate valid from and to so many days from now, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    cert = x509.CertificateBuilder(who, who, key.public_key(), 1)
    cert = cert.not_valid_before(now + from_days * DAY).not_valid_after(now + to_days * DAY)
    (folder / name).write_bytes(cert.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    path = folder / f"{name}.key"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)


@pytest.fixture
def config(tmp_path):
    made(tmp_path, "site.pem", -10, 300)
    (tmp_path / "site.toml").write_text(SETTINGS)
    return load(tmp_path / "site.toml")


def test_none_is_needed_where_none_is_named(tmp_path):
    (tmp_path / "site.toml").write_text(SETTINGS.split("[signal", maxsplit=1)[0])
    assert "none in the settings" in certificates(load(tmp_path / "site.toml")).found


def test_one_that_is_well(config):
    found = certificates(config)
    assert found.verdict == "good" and "site.pem ends in" in found.found


@pytest.mark.parametrize(
    ("from_days", "to_days", "verdict", "said"),
    [
        (-10, 31, "good", "ends in"),
        (-10, 29, "unsure", "ends in"),
        (-10, -1, "wrong", "ended"),
        (1, 300, "wrong", "not valid yet"),
    ],
)
def test_it_is_looked_at_when_it_ends(config, tmp_path, from_days, to_days, verdict, said):
    made(tmp_path, "site.pem", from_days, to_days)
    found = certificates(config)
    assert found.verdict == verdict and said in found.found and (found.mend or verdict == "good")


def test_files_that_are_no_certificate_or_no_key_of_it(config, tmp_path):
    key = (tmp_path / "site.pem.key").read_bytes()
    made(tmp_path, "other.pem", -1, 300)
    (tmp_path / "site.pem.key").write_bytes((tmp_path / "other.pem.key").read_bytes())
    assert "is not the key of" in certificates(config).found
    (tmp_path / "site.pem.key").write_bytes(b"no key")
    assert "no key without a password" in certificates(config).found
    (tmp_path / "site.pem.key").write_bytes(key)
    (tmp_path / "site.pem.key").chmod(0o644)
    assert "others may read" in certificates(config).found
    (tmp_path / "site.pem").write_bytes(b"no certificate")
    found = certificates(config)
    assert found.verdict == "wrong" and "no certificate" in found.found
