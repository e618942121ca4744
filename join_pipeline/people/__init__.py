"""One person: what is held about somebody, erased with proof, and exported.

Belongs here: where data of people lies, finding, erasing, verifying and exporting one person. Not here: erasing in the
lake's files (lake.erasing), who is kept out of syncs (lake.erased), retention by age (lake.compaction).
"""
