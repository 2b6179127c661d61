"""Where alarms are sent: a webhook, a mail server.  What is said is the same in both."""

import asyncio
import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import httpx
import msgspec

from supervisor import keys
from supervisor.alarms.notify import Notifier, Outbox, SendError
from supervisor.alarms.rules import BY_NAME
from supervisor.alarms.state import CLEARED, Change
from supervisor.sections.alarms import AlarmsConfig

TIMEOUT_S = 10.0


class Webhook:
    """Posts JSON; anything but 2xx is a failure."""

    name = "webhook"

    def __init__(self, site: str, url: str, token: str = "") -> None:
        self._site, self._url = site, url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def send(self, news: list[Change], dropped: int) -> None:
        body = {
            "site": self._site,
            "dropped": dropped,
            "changes": [_told(change) for change in news],
        }
        headers = self._headers | {"Content-Type": "application/json"}
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
                answer = await client.post(
                    self._url, content=msgspec.json.encode(body), headers=headers
                )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SendError(str(error) or type(error).__name__) from None
        if not answer.is_success:
            raise SendError(f"it answered {answer.status_code}")


class Mail:
    """One mail a message, by a thread: the mail server may be slow."""

    name = "mail"

    def __init__(self, site: str, config: AlarmsConfig, password: str = "") -> None:
        assert config.email_to and config.smtp_host
        self._site, self._config, self._password = site, config, password

    async def send(self, news: list[Change], dropped: int) -> None:
        try:
            await asyncio.to_thread(self._deliver, mail(self._site, self._config, news, dropped))
        except (OSError, smtplib.SMTPException) as error:
            raise SendError(type(error).__name__ if self._password else str(error)) from None

    def _deliver(self, message: EmailMessage) -> None:
        config = self._config
        host, port = str(config.smtp_host), config.smtp_port
        secure = ssl.create_default_context()
        if config.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=secure)
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        with server:
            if config.smtp_security == "starttls":
                server.starttls(context=secure)
            if config.smtp_user:
                server.login(config.smtp_user, self._password)
            server.send_message(message)


def mail(site: str, config: AlarmsConfig, news: list[Change], dropped: int) -> EmailMessage:
    """The worst in the subject, all of it in the text."""
    message = EmailMessage()
    message["From"] = config.email_from or config.email_to
    message["To"] = config.email_to
    more = f" and {len(news) - 1} more" if len(news) > 1 else ""
    message["Subject"] = f"[{site}] {headline(news[0])}{more}"[:200]
    parts = [paragraph(change) for change in news]
    if dropped:
        parts.append(f"{dropped} earlier changes are not listed: surplus alarms shows what stands.")
    message.set_content("\n\n".join(parts))
    return message


def headline(change: Change) -> str:
    alarm = change.alarm
    where = alarm.subject or "the site"
    many = f", {alarm.count} rigs" if alarm.count > 1 else ""
    text = f"{alarm.severity} {change.change}: {where}{many}: {alarm.text}"
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def paragraph(change: Change) -> str:
    rule, at = BY_NAME[change.alarm.rule], datetime.fromtimestamp(change.at_s, UTC)
    lines = [f"{headline(change)}", f"  at     {at:%Y-%m-%d %H:%M:%S} UTC"]
    if change.change != CLEARED:
        lines += [f"  means  {rule.means}", f"  check  {rule.check}", f"  bring  {rule.tool}"]
        lines += [f"  rigs   {', '.join(change.alarm.rigs)}"] if change.alarm.rigs else []
    return "\n".join(lines)


def _told(change: Change) -> dict[str, object]:
    alarm, rule = change.alarm, BY_NAME[change.alarm.rule]
    return {
        "change": change.change,
        "at_s": change.at_s,
        "key": alarm.key,
        "rule": alarm.rule,
        "subject": alarm.subject,
        "severity": alarm.severity,
        "since_s": alarm.since_s,
        "count": alarm.count,
        "rigs": alarm.rigs,
        "text": alarm.text,
        "means": rule.means,
        "check": rule.check,
        "tool": rule.tool,
    }


def notifier_of(site: str, config: AlarmsConfig) -> Notifier:
    """The channels of the settings.  Raises keys.SecretError."""
    channels: list[Webhook | Mail] = []
    if config.webhook:
        channels.append(Webhook(site, config.webhook, _secret(config.webhook_token_file)))
    if config.email_to and config.smtp_host:
        channels.append(Mail(site, config, _secret(config.smtp_password_file)))
    return Notifier([Outbox(channel, config.least, config.per_hour) for channel in channels])


def _secret(file: str | None) -> str:
    return keys.password(Path(file)) if file else ""
