"""The tests, in packages so that two folders may have files of one name."""
