"""Ways to spread work over ranks that came with the old pypar.

functional        generators: distributed, collected, balanced
handympi          foreach, RunMasterSlave
pypar_balancer    PyparWork and PyparBalancer: a master and its workers
pyparprocessing   start, and a Pool that looks like multiprocessing's
"""
