"""Readers from outside of the project, for Table 5: what text do they see in a picture of a plate?"""
