"""A report from a ledger: what it says, that it is signed, and that no change goes unseen."""

import csv
import hashlib
import io
import json
from datetime import UTC, datetime

import msgspec
import pytest
from typer.testing import CliRunner

from supervisor.cli import build
from supervisor.ledger import Ledger
from supervisor.settlement import days, page, seal
from supervisor.settlement.record import RecordError, line_bytes, read
from supervisor.settlement.report import report_of
from supervisor.settlement.terms import Terms

MW = 1_000_000
T = 1_800_000_000
FALL = T + 600


@pytest.fixture
def state(tmp_path):
    """20 minutes of a 10 MW site: told at 600 s to fall to 4 MW, there after 2 s."""
    clock = [float(T - 5)]
    ledger = Ledger(tmp_path / "ledger.db", clock=lambda: clock[0])
    ledger.write("term", {"term": 7, "site": "north-1"})
    for second in range(1200):
        clock[0] = T + second + 0.2
        asked_w = (10 if second < 600 else 4) * MW
        metered_w = (10 if second < 602 else 4) * MW
        if second == 600:
            ledger.write(
                "signal", {"schedule": [[clock[0], 4 * MW]], "same": False}, "grid", "<4 MW>"
            )
            ledger.write("refused", {}, "grid", "mw is missing")
        body = {"limit_w": asked_w, "asked_w": asked_w, "capacity_w": 10 * MW}
        ledger.write("decision", body | {"metered_w": metered_w if second % 2 == 0 else None})
    ledger.close()
    return tmp_path


@pytest.fixture
def run(state):
    def call(*words: str):
        return CliRunner().invoke(build("report"), ["report", *words, "--state", str(state)])

    return call


def iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()


SPAN = ("--from", iso(T), "--to", iso(T + 1200))


def test_the_report_says_what_happened(state):
    report = report_of("north-1", read(Ledger(state / "ledger.db", readonly=True), T, T + 1200))
    assert (report.from_s, report.to_s, report.capacity_w) == (T, T + 1200, 10 * MW)
    assert report.drawn_mwh == pytest.approx((10 * 602 + 4 * 598) / 3600, abs=1e-3)
    assert report.on_record_pct == 100
    (event,) = report.events
    assert (event.at_s, event.from_w, event.to_w, event.baseline_w) == (
        FALL,
        10 * MW,
        4 * MW,
        10 * MW,
    )
    assert event.delivered_mwh == pytest.approx(6 * 598 / 3600, abs=1e-3)
    assert {one.outcome for one in report.verdicts} == {"kept"}
    assert [(word.source, word.refused) for word in report.words] == [
        ("grid", False),
        ("grid", True),
    ]


def test_the_digest_is_of_every_line_and_anybody_can_make_it(state):
    ledger = Ledger(state / "ledger.db", readonly=True)
    basis = read(ledger, T, T + 1200).basis
    lines = list(ledger.lines(basis.first_id, basis.last_id + 1))
    assert basis.lines == len(lines) == 1202
    assert basis.sha256 == hashlib.sha256(b"".join(map(line_bytes, lines))).hexdigest()


@pytest.mark.parametrize("span", [(T - 9000, T - 8000), (T + 5000, T + 6000)])
def test_where_nothing_was_decided_there_is_no_report(state, span):
    with pytest.raises(RecordError, match="nothing was decided"):
        read(Ledger(state / "ledger.db", readonly=True), *span)


def test_a_time_is_found_by_halving(state):
    ledger = Ledger(state / "ledger.db", readonly=True)
    for at_s in (T - 100, T, T + 0.2, T + 0.3, T + 600, T + 1199.2, T + 1199.3, T + 9999):
        first_id, end_id = ledger.span(at_s, T + 10_000)
        times = [line[1] for line in ledger.lines(first_id, end_id)]
        assert times == [line[1] for line in ledger.lines(0, end_id) if line[1] >= at_s]


# ---- the command


def test_for_a_terminal(run):
    result = run(*SPAN)
    assert result.exit_code == 0, result.output
    for word in (
        "north-1",
        "10.0 MW",
        "95 % of a fall",
        "kept",
        "<4 MW>",
        "refused: mw is missing",
    ):
        assert word in result.stdout


def test_a_broken_rule_is_exit_code_1(run):
    result = run("--from", iso(T + 600), "--to", iso(T + 602))
    assert result.exit_code == 1 and "broken" in result.stdout


def test_csv_has_a_line_a_second(run):
    rows = list(csv.DictReader(io.StringIO(run(*SPAN, "--csv").stdout)))
    assert len(rows) == 1200
    assert rows[0]["unix_s"] == str(T) and rows[0]["asked_w"] == str(10 * MW)
    assert rows[0]["time_utc"] == "2027-01-15 08:00:00Z"


def test_pdf(run, tmp_path):
    out = tmp_path / "report.pdf"
    assert run(*SPAN, "--out", str(out)).exit_code == 0
    assert out.read_bytes().startswith(b"%PDF") and b"%%EOF" in out.read_bytes()[-32:]


@pytest.mark.parametrize("kind", ["json", "html"])
def test_signed_and_verified(run, tmp_path, kind):
    out = tmp_path / f"report.{kind}"
    run(*SPAN, "--out", str(out))
    key = run("key").stdout.strip()
    good = run("verify", str(out), "--key", key)
    assert good.exit_code == 0, good.output
    assert key in good.stdout and "1202 lines" in good.stdout
    assert run("verify", str(out), "--key", "00" * 32).exit_code == 1


# ---- other terms


@pytest.mark.parametrize(
    "words, baseline_w, delivered_mwh",
    [
        ((), 10 * MW, 0.9967),
        (("--window", "1m"), 10 * MW, 0.9967),
        (("--baseline", "reference", "--reference", "7MW"), 7 * MW, 0.4967),
    ],
)
def test_what_it_was_worth_by_the_terms_and_made_again_by_them(
    run, tmp_path, words, baseline_w, delivered_mwh
):
    out = tmp_path / "report.json"
    assert run(*SPAN, *words, "--out", str(out)).exit_code == 0
    (event,) = json.loads(out.read_bytes())["report"]["events"]
    assert (event["baseline_w"], event["delivered_mwh"]) == (baseline_w, delivered_mwh)
    assert "the ledger says the same" in run("verify", str(out)).stdout


def test_energy_above_a_reference_of_the_hour(run, tmp_path):
    reference = tmp_path / "agreed.csv"
    reference.write_text("hour,mw\n" + "".join(f"{n},{n}\n" for n in range(24)))
    words = ("--baseline", "reference", "--reference", str(reference), "--utc-offset", "-2")
    shown = run(*SPAN, *words).stdout
    drawn_mwh = (602 * 10 + 598 * 4) / 3600
    assert f"energy above the reference {drawn_mwh - 6 / 3:.3f} MWh" in " ".join(shown.split())
    assert "agreed reference, 0 W to 23.0 MW; hours of UTC-2" in shown


def test_only_the_rules_that_are_wished(run):
    shown = run("--from", iso(T + 600), "--to", iso(T + 602), "--rule", "tracking")
    assert shown.exit_code == 0 and "95 % of a fall" not in shown.stdout
    both = run(*SPAN, "--rule", "tracking", "--rule", "delivery", "--within", "1s")
    assert both.exit_code == 1 and "in 1 s" in both.stdout
    assert "above what was asked" not in both.stdout


def test_without_ten_like_days_there_is_no_baseline_and_it_says_why(run):
    result = run(*SPAN, "--baseline", "10-in-10")
    assert result.exit_code == 0 and "0 like days are known; ten are needed" in result.stdout
    assert "unknown" in result.stdout


@pytest.fixture
def fortnight(tmp_path, monkeypatch):
    """14 days of a site that draws 6 MW, and a Monday with 6.6; at noon of it down to 2 MW.

    A decision every 200 s is enough of an hour here, but for the hour around noon.
    """
    monkeypatch.setattr(days, "KNOWN", 0.02)
    monday = T - T % 86_400 + 3 * 86_400
    noon, clock = monday + 12 * 3600, [0.0]
    ledger = Ledger(tmp_path / "ledger.db", clock=lambda: clock[0])
    ledger.write("term", {"term": 7, "site": "north-1"})
    coarse = range(monday - 14 * 86_400, noon - 1800, 200)
    for at_s in (*coarse, *range(noon - 1800, noon + 1800)):
        clock[0] = at_s + 0.2
        asked_w = 2 * MW if at_s >= noon else 9 * MW
        drawn_w = 2 * MW if at_s >= noon else 6_600_000 if at_s >= monday else 6 * MW
        body = {"limit_w": asked_w, "asked_w": asked_w, "capacity_w": 10 * MW}
        ledger.write("decision", body | {"metered_w": drawn_w})
    ledger.close()
    return tmp_path, noon


def test_ten_in_ten_from_the_ledger_is_signed_and_made_again(fortnight):
    state, noon = fortnight
    out = state / "report.html"

    def call(*words):
        return CliRunner().invoke(build("report"), ["report", *words, "--state", str(state)])

    span = ("--from", iso(noon - 1800), "--to", iso(noon + 1800))
    made = call(*span, "--baseline", "10-in-10", "--rule", "delivery", "--out", str(out))
    assert made.exit_code == 0, made.output
    report = seal.opened(page.sealed_of(out.read_text())).report
    (event,) = report.events
    assert event.baseline_w == 6_600_000, "ten days of 6 MW, a tenth more this morning"
    assert event.delivered_mwh == pytest.approx(4.6 / 2, abs=0.001)
    assert report.basis.lines > 14 * 432, "it rests on those days, too"
    verified = call("verify", str(out))
    assert verified.exit_code == 0 and "the ledger says the same" in verified.stdout


@pytest.mark.parametrize("kind", ["json", "html"])
def test_any_number_changed_is_seen(run, tmp_path, kind):
    out = tmp_path / f"report.{kind}"
    run(*SPAN, "--out", str(out))
    text = out.read_text()
    shown = '"drawn_mwh":' if kind == "json" else "<dt>energy drawn<dd>"
    at = text.index(shown) + len(shown)
    out.write_text(text[:at] + ("9" if text[at] != "9" else "8") + text[at + 1 :])
    result = run("verify", str(out))
    assert result.exit_code == 1
    assert "changed" in result.output or "shows something else" in result.output


def test_a_report_the_ledger_does_not_bear_out(run, state, tmp_path):
    out = tmp_path / "report.json"
    run(*SPAN, "--out", str(out))
    sealed = seal.opened(out.read_bytes())
    better = msgspec.structs.replace(sealed.report, drawn_mwh=99.0)
    out.write_bytes(seal.encoded(seal.seal(better, seal.signing_key(state))))
    result = run("verify", str(out))
    assert result.exit_code == 1 and "does not say" in result.output


@pytest.mark.parametrize(
    "change, why",
    [
        ({"terms": Terms(baseline="guess")}, "there are pre-event"),
        ({"terms": Terms(baseline="reference")}, "0 powers"),
        ({"from_s": T - 9000, "to_s": T - 8000}, "nothing was decided"),
        ({"from_s": 0}, "35 days"),
    ],
)
def test_a_report_that_nobody_can_make_is_refused_and_nothing_worse(
    run, state, tmp_path, change, why
):
    out = tmp_path / "report.json"
    run(*SPAN, "--out", str(out))
    forged = msgspec.structs.replace(seal.opened(out.read_bytes()).report, **change)
    out.write_bytes(seal.encoded(seal.seal(forged, seal.signing_key(state))))
    result = run("verify", str(out))
    assert result.exit_code == 1 and why in result.output, result.exception


def test_what_a_source_said_cannot_break_the_page(state):
    report = report_of("<b>", read(Ledger(state / "ledger.db", readonly=True), T, T + 1200))
    word = msgspec.structs.replace(report.words[0], text="</script><script>alert(1)</script>")
    report = msgspec.structs.replace(report, words=[word])
    text = page.page(seal.seal(report, seal.signing_key(state)))
    assert "<b>" not in text and "alert(1)</script>" not in text
    assert seal.opened(page.sealed_of(text)).report == report
    assert json.loads(page.sealed_of(text))["report"]["site"] == "<b>"


@pytest.mark.parametrize(
    "words, why",
    [
        (("--from", "2026-12-01T14:00"), "names no zone"),
        (("--from", "yesterday"), "is no moment"),
        ((*SPAN, "--csv", "--html"), "one kind"),
        ((*SPAN, "--out", "report.doc"), "one kind"),
        (("--from", iso(T + 10), "--to", iso(T)), "ends after it begins"),
        (("--from", iso(T - 9e6), "--to", iso(T)), "35 days"),
        ((*SPAN, "--baseline", "guess"), "there are pre-event, 10-in-10, reference"),
        ((*SPAN, "--baseline", "reference"), "0 powers"),
        ((*SPAN, "--reference", "much"), "--reference"),
        ((*SPAN, "--band", "wide"), "--band"),
        ((*SPAN, "--rule", "luck"), "there are tracking"),
    ],
)
def test_a_bad_call(run, words, why):
    result = run(*words)
    assert result.exit_code == 2 and why in result.output


def test_no_ledger(tmp_path):
    result = CliRunner().invoke(build("report"), ["report", "--state", str(tmp_path / "none")])
    assert result.exit_code == 2 and "no ledger there" in result.output
