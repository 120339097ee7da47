"""Where module files are kept between runs: adapters of the CacheStore port.

A store decides nothing about modules: what may be saved is for the run to say.
"""
