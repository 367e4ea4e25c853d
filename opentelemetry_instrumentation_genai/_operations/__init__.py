"""Operations that the application names itself: workflows, agents, tools, retrievals and steps."""
