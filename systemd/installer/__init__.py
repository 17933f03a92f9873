"""``./box install`` and ``./box uninstall``: brings a machine to the state of a box or a centre.

Runs with Debian's Python alone, as root, before anything of the product is installed. Each step
(``steps``) compares what should be with what is and yields what it would change, in words, with
the act beside it: so a second run finds nothing, and a dry run prints what a run would do. What a
box or a centre consists of stands in ``parts``; how the machine is asked and touched in
``machine``. All that is written comes from templates in ``systemd/``.
"""
