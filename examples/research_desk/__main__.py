"""`python -m examples.research_desk AAPL`."""

from examples.research_desk.cli import main

if __name__ == "__main__":
    main()
