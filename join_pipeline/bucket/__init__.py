"""The lake in a bucket: the bucket is the truth, and the folder on this machine is a copy that can be thrown away.

Belongs here: the lease, the log of commits, bringing files and pushing them, encryption. Not here: what is in the files
(lake), who works on them (pipeline, people).
"""
