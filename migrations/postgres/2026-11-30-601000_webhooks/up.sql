-- A program's address that is told of releases. `secret` signs what is sent, so it is kept as it is; `round` is empty for
-- every round. `gone`: the receiver said so (410).
CREATE TABLE webhook (
    id         TEXT   NOT NULL PRIMARY KEY,
    url        TEXT   NOT NULL,
    secret     BYTEA   NOT NULL,
    round      TEXT   REFERENCES round (id),
    state      TEXT   NOT NULL CHECK (state IN ('active', 'removed', 'gone')),
    created_at BIGINT NOT NULL
);

-- The outbox: what is to be told to whom, written in the transaction of the release. `last_fault` is a stable word.
CREATE TABLE webhook_delivery (
    id          TEXT   NOT NULL PRIMARY KEY,
    webhook     TEXT   NOT NULL REFERENCES webhook (id),
    round       TEXT   NOT NULL REFERENCES round (id),
    body        TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    attempts    BIGINT NOT NULL CHECK (attempts >= 0),
    due_at      BIGINT NOT NULL,
    last_at     BIGINT,
    last_status BIGINT,
    last_fault  TEXT
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (due_at) WHERE state = 'waiting';
