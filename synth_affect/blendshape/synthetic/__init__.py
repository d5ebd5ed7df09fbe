"""The synthetic gallery: invented people, their expressions over time, those who annotate them, scans of them.

Nothing here was measured on a person. Identities come from a head model; expressions from action-unit prototypes;
timing and the annotators' disagreement from published figures, as far as there are any; each person's style is random.
"""
