"""python -m supervisor: the same as the command surplus."""

from supervisor.cli import main

if __name__ == "__main__":
    main()
