"""`python -m simulators` is `entropilot simulator`.

The command line stands in `scenarios`, which puts agent and simulators together; the import contract forbids this
package to know it. So it is looked up by name at run time, here and nowhere else: who types the command has installed
all of it.
"""

import importlib
import sys

if __name__ == "__main__":
    importlib.import_module("scenarios.cli").main(["simulator", *sys.argv[1:]])
