"""The command line: reading it, its help, its completion, and the process.

* ``kinds``       the kinds of values that flags take
* ``flag``        what a row of the table of flags can say
* ``flags``       the table
* ``pflag``       reading a command line as spf13/pflag does; nothing else reads one
* ``invocation``  a command line as a value, which renders itself
* ``usage``       which flags and names go together
* ``help``        the help page
* ``completion``  what is offered while a command line is typed
* ``shells``      what a shell needs to ask for that
* ``main``        the process: streams, signals, errors, exit status; selects the command and shows its result

What the commands do is in ``rollupdate.commands``.
"""
