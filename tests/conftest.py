# SPDX-License-Identifier: MIT
import leftovers


def pytest_configure(config):
    if not config.pluginmanager.is_registered(leftovers):
        config.pluginmanager.register(leftovers, "leftovers")
