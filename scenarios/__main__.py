"""`python -m scenarios` is `entropilot`."""

from scenarios.cli import main

if __name__ == "__main__":
    main()
