"""`python -m curcdr_projector`."""

from curcdr_projector.app import main

if __name__ == "__main__":
    main()
