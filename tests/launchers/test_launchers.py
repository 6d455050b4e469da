import sys

import pytest

from spinup.launchers.portable import PortableLauncher
from spinup.testing import LauncherContract


@pytest.mark.skipif(sys.platform != "linux", reason="the run server needs Linux")
class TestLocalLauncher(LauncherContract):
    def make_launcher(self, post):
        from spinup.launchers.local import LocalLauncher

        return LocalLauncher(post)


class TestPortableLauncher(LauncherContract):
    def make_launcher(self, post):
        return PortableLauncher(post)
