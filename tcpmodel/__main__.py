"""``python -m tcpmodel``, the same as the command ``tcpmodel``.

Owns: nothing but the call.
Must never hold: anything that the command itself would not do.
"""

import sys

from tcpmodel.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
