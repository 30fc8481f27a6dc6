"""Nearest rows and matching texts, by Lance where it measures right and fast, by numpy elsewhere."""
