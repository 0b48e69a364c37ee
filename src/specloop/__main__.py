"""`python -m specloop` is the `specloop` command."""

from specloop.entry import main

if __name__ == "__main__":
    main()
