//! Methods: HEAD is answered as GET without the body, and a route that does not know a method says which it knows.

use actix_web::body::MessageBody;
use actix_web::dev::{ResourceDef, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use utoipa::openapi::OpenApi;

/// Routes HEAD as GET. The server leaves the body out, as it knows what was asked.
pub async fn head_as_get<B: MessageBody>(
    mut req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    if req.method() == Method::HEAD {
        req.head_mut().method = Method::GET;
    }
    next.call(req).await
}

/// The methods of each documented route, for `Allow` (RFC 9110, 10.2.1).
pub struct Methods(Vec<(ResourceDef, String)>);

impl Methods {
    /// As the document has them.
    #[must_use]
    pub fn of(document: &OpenApi) -> Self {
        let route = |(path, item): (&String, &utoipa::openapi::PathItem)| {
            let known = [
                ("GET, HEAD", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            let names: Vec<&str> = known.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect();
            (ResourceDef::new(path.as_str()), names.join(", "))
        };
        Self(document.paths.paths.iter().map(route).collect())
    }

    /// What may be asked of this path; `None` when no route has it.
    #[must_use]
    pub fn of_path(&self, path: &str) -> Option<&str> {
        self.0.iter().find(|(route, _)| route.is_match(path)).map(|(_, names)| names.as_str())
    }
}
