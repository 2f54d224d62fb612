-- An agent that stayed silent for so long that its attempts were given up: whatever of them may still run there is
-- unknown until the agent says hello.

ALTER TABLE agent ADD COLUMN gave_up_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX agent_given_up ON agent (id) WHERE gave_up_ms > 0;
CREATE INDEX attempt_lost ON attempt (agent, ended_ms) WHERE result = 6;
