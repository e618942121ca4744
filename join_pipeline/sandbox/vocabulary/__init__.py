"""The vocabulary of the sandbox's company: data only, no rules.

`people` names persons, `work` names jobs, stages, places and reference lists, `forms` names questions, answers, tags
and sources. All of it is invented; every e-mail address and link lies at a domain that RFC 2606 reserves.
"""
