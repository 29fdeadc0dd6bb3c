//! Who talks to the service: a respondent without a name, a signed-in member of staff, a machine client.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::{Service, Stage};

/// Somebody who sends requests, always with the same headers.
#[derive(Clone)]
pub(crate) struct Actor {
    agent: ureq::Agent,
    base: String,
    headers: Vec<(&'static str, String)>,
}

/// What the service answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Actor {
    /// A respondent, or anyone.
    pub(crate) fn anon(service: &Service) -> Self {
        Self::at(&service.base)
    }

    /// Anyone, at an address.
    pub(crate) fn at(base: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self { agent: ureq::Agent::new_with_config(config), base: base.to_owned(), headers: Vec::new() }
    }

    /// A member of staff with a session.
    pub(crate) fn signed_in(base: &str, name: &str, password: &str) -> Self {
        let mut actor = Self::at(base);
        let answer = actor.post_form("/dang-nhap", &[("name", name), ("password", password)]);
        assert_eq!(answer.status, 303, "{name} could not sign in: {}", answer.text());
        let cookie = answer.header("set-cookie").and_then(|c| c.split(';').next()).unwrap().to_owned();
        actor.headers.push(("cookie", cookie));
        actor
    }

    /// A new member of staff, signed in.
    pub(crate) fn hired(stage: &Stage, service: &Service, name: &str, role: &str) -> Self {
        let added: Value =
            serde_json::from_str(&stage.phieu(&["staff", "add", name, "--role", role, "--json"])).unwrap();
        Self::signed_in(&service.base, name, added["password"].as_str().unwrap())
    }

    /// A new machine client with a token for all its scopes.
    pub(crate) fn machine(stage: &Stage, service: &Service, scopes: &str) -> Self {
        let added = stage.phieu(&["client", "add", "index engine", "--scopes", scopes, "--json"]);
        let added: Value = serde_json::from_str(&added).unwrap();
        Self::client_at(&service.base, added["client_id"].as_str().unwrap(), added["client_secret"].as_str().unwrap())
    }

    /// A machine client with a token for all its scopes.
    pub(crate) fn client_at(base: &str, id: &str, secret: &str) -> Self {
        let actor = Self::at(base);
        let fields = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        let answer = actor.post_form("/api/v1/oauth/token", &fields);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let granted = answer.json();
        assert_eq!(granted["token_type"], "Bearer");
        assert!(granted["expires_in"].as_i64().unwrap() <= 600);
        actor.bearing(granted["access_token"].as_str().unwrap())
    }

    /// The same, with this token.
    pub(crate) fn bearing(&self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// The same, with one more header.
    pub(crate) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut actor = self.clone();
        actor.headers.push((name, value.to_owned()));
        actor
    }

    /// Asks for the head of an answer only.
    pub(crate) fn head(&self, path: &str) -> Answer {
        let mut request = self.agent.head(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.call().map(Answer::read).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap()
    }

    /// Asks a service that may not be there yet.
    pub(crate) fn try_get(&self, path: &str) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.call().map(Answer::read)
    }

    /// Posts JSON.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body).unwrap()
    }

    /// Posts JSON to a service that may not live to answer.
    pub(crate) fn try_post(&self, path: &str, body: &Value) -> Result<Answer, ureq::Error> {
        self.send(path, "application/json", &serde_json::to_vec(body).unwrap())
    }

    /// Posts a form as browsers do.
    pub(crate) fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs: Vec<String> = fields.iter().map(|(n, v)| format!("{}={}", escaped(n), escaped(v))).collect();
        self.post_bytes(path, "application/x-www-form-urlencoded", pairs.join("&").as_bytes())
    }

    /// Posts anything.
    pub(crate) fn post_bytes(&self, path: &str, media: &str, body: &[u8]) -> Answer {
        self.send(path, media, body).unwrap()
    }

    fn send(&self, path: &str, media: &str, body: &[u8]) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.post(format!("{}{path}", self.base)).header("content-type", media);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.send(body).map(Answer::read)
    }

    /// What a code asks.
    pub(crate) fn form(&self, code: &str) -> Answer {
        self.post("/api/v1/ballots/form", &json!({ "code": code }))
    }

    /// Casts a ballot.
    pub(crate) fn cast(&self, code: &str, answers: &Value) -> Answer {
        self.post("/api/v1/ballots", &json!({ "code": code, "answers": answers }))
    }
}

impl Answer {
    fn read(mut response: ureq::http::Response<ureq::Body>) -> Self {
        let headers = response.headers().iter();
        let headers =
            headers.map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(64 * 1024 * 1024).read_to_vec().unwrap_or_default();
        Self { status, headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text()))
    }

    /// A receipt, from an answer that must have this status.
    pub(crate) fn receipt(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        let receipt = self.json()["receipt"].as_str().unwrap().to_owned();
        assert!(receipt.len() == 64 && receipt.bytes().all(|b| b"0123456789abcdef".contains(&b)), "{receipt}");
        receipt
    }

    /// Asserts a problem: status, media type, stable code, a title in Vietnamese, and nothing that was sent.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{code}: {}", self.text());
        let media = self.header("content-type").unwrap_or_default();
        assert_eq!(media, "application/problem+json", "{code}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert!(!problem["title"].as_str().unwrap().is_ascii(), "{problem}");
        problem
    }

    /// Asserts a refusal on a page: HTML in Vietnamese, and its status.
    #[track_caller]
    pub(crate) fn is_page(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert!(self.header("content-type").unwrap_or_default().starts_with("text/html"), "{}", self.text());
        let text = self.text();
        assert!(text.contains(r#"lang="vi""#), "{text}");
        text
    }
}

pub(crate) fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}
