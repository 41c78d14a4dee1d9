"""DF8xx: what a cluster would not take, or would leave out; looked for only when a rule is selected."""
