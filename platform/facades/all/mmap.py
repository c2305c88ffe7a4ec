"""`mmap` where no file is mapped: dulwich names it for packs on disk, and packs are in memory here."""

ACCESS_READ = 1


class mmap:
    """A refusal."""

    def __init__(self, *_arguments, **_options):
        raise OSError("an image maps no files")
