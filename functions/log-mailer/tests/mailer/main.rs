//! The mailer against an embedded DynamoDB and a mail service that does as it is told: what is planned, what is sent, and what is
//! left when anything on the way fails or ends.

mod crashes;
mod feedback;
mod hand_over;
mod left_claims;
mod mail_queue;
mod meanwhile;
mod plans;
mod post_office;
mod quiet;
mod sweeps;
mod tables;
mod world;
