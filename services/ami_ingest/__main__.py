"""`python -m ami_ingest`."""

from ami_ingest.app import main

if __name__ == "__main__":
    main()
