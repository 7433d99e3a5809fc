"""Trouble for the command as a real process: killed at every write, cut off, lied to, interrupted.

``proxy`` stands between the command and the API, ``faults`` says what goes wrong there, ``arena`` is a
namespace with a proxy of its own and the command run in it. ``stories`` and ``evicting`` are the updates,
``migrating`` and ``configs`` the moves, ``kills`` and ``storms`` what is done to them, ``owners`` what was
seen of their pods, ``report`` the table in docs/reliability.md. ``python -m testing.chaos`` runs it all. The
command is only ever run, never imported: what is tested is what a user has.
"""
