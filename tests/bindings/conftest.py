# SPDX-License-Identifier: MIT
import ranks


def pytest_configure(config):
    if not config.pluginmanager.is_registered(ranks):
        config.pluginmanager.register(ranks, "ranks")
