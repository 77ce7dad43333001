"""Runs the checkout's rosemary without those of its commands that import a package which this image lacks.

rosemary imports all of its commands at every start, so that one for a browser's driver would keep it from seeding.
"""
import importlib.machinery
import importlib.util
import os
import runpy
import sys


class Commands:
    """Finds the modules of rosemary's commands where they are, and loads what can be loaded of them."""

    def find_spec(self, name, path=None, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path) if name.startswith("rosemary.commands.") else None
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module):
                try:
                    load(module)
                except ModuleNotFoundError as error:
                    if not error.name or importlib.util.find_spec(error.name.split(".")[0]) is not None:
                        raise
                    print(f"rosemary: the commands of {name} are left out, because this image lacks {error.name}", file=sys.stderr)

            spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Commands())
# As 'python -m' has it: the checkout first, not this script's folder.
sys.path[0] = os.getcwd()
runpy.run_module("rosemary", run_name="__main__", alter_sys=True)
