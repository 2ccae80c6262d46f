"""Many runs for one question: lanes and sweeps, their plans and repeats; noise, divergence, votes, measures."""
