"""`python -m cdr_archiver`."""

from cdr_archiver.app import main

if __name__ == "__main__":
    main()
