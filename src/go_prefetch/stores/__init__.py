"""Where module files are kept between runs: adapters of the CacheStore port.

A store makes no decision about modules. The run decides what may be saved.
"""
