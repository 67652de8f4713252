"""`python -m entropilot` is `entropilot`."""

from scenarios.cli.app import main

if __name__ == "__main__":
    main()
