"""Builds Trainyard's images and generates the files that are written from others.

A package of its own, with nothing but the standard library where images are built: it has to
work on a bare machine, before anything else of Trainyard is installed, and without Docker.
"""
