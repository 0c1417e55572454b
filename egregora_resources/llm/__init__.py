"""Providers: who does the tasks that need a writer's, a describer's or an illustrator's hand."""
