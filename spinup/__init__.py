"""Hyperparameter grids for reinforcement learning, in runs that can be trusted."""
