"""What the tests against real binaries share: a daemon of their own, stubs of the contract, and helpers.

`from domekit.fixtures import *` in a conftest gives the fixtures; the modules can be used on their own too
(bench/run.py does).
"""
