"""A report as CSV, for a spreadsheet: a line a second."""

import csv
import io

from supervisor.settlement.report import Report
from supervisor.settlement.words import moment

HEADS = ("time_utc", "unix_s", "asked_w", "limit_w", "metered_w")


def sheet(report: Report) -> str:
    """Empty where nothing is on record: an empty cell is no zero."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADS)
    seconds = report.seconds
    columns = zip(seconds.asked_w, seconds.limit_w, seconds.metered_w, strict=True)
    for at_s, row in enumerate(columns, seconds.from_s):
        writer.writerow([moment(at_s), at_s, *("" if w is None else w for w in row)])
    return out.getvalue()
