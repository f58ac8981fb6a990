"""The three systems as LightningModules: teacher ranker, transport distillation, hybrid-batch ranker."""
