"""Tests of single modules, without programs or network."""
