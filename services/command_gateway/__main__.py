"""`python -m command_gateway`."""

from command_gateway.app import main

if __name__ == "__main__":
    main()
