# noqa: INP001  # a script that is copied, not a package
"""HEALTHCHECK of the images: asks the service of this container on its own port whether it is ready."""

import os
import sys
import urllib.error
import urllib.request


def main() -> None:
    """Exit 0 and 1 as HEALTHCHECK wants them; prints what the service says, for `docker inspect`."""
    port = os.environ[f"{os.environ['LEGBOOK_SERVICE'].upper()}_HTTP_PORT"]
    ask = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with ask.open(f"http://127.0.0.1:{port}/readyz", timeout=3) as answer:
            sys.stdout.write(answer.read().decode())
    except urllib.error.HTTPError as answer:
        sys.exit(answer.read().decode())
    except OSError as error:
        sys.exit(f"no answer on port {port}: {error}")


if __name__ == "__main__":
    main()
