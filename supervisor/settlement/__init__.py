"""What was asked, what the meter did, and what that is worth: the record that settles a bill.

    ledger -> record.py -> rules.py, baselines.py -> report.py -> seal.py -> a page, a sheet, a PDF

Everything but record.py and the commands is pure: numbers in, numbers out.
"""
