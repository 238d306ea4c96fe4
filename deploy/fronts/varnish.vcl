# Varnish between TLS (hitch, a balancer) and the collectors: it keeps the tracker, and passes everything else on.
#   varnishd -a :6081,PROXY -f /etc/varnish/headwater.vcl
# Collectors: HEADWATER_TRUSTED_PROXIES with Varnish's network, HEADWATER_PUBLIC_URL=https://collect.example.com
vcl 4.1;

probe ready {
    .url = "/readyz";
    .interval = 1s;
    .timeout = 2s;
    .threshold = 1;
    .window = 1;
    .initial = 1;
}

backend collector {
    .host = "127.0.0.1";
    .port = "8080";
    .probe = ready;
}

sub vcl_recv {
    # Varnish has added the visitor's address to what the visitor says; only the former is true.
    set req.http.X-Forwarded-For = client.ip;
    if (req.method == "GET" && req.url ~ "^/s/") {
        unset req.http.Cookie;
        return (hash);
    }
    return (pass);
}

sub vcl_backend_response {
    # The collector says how long it may be kept and used while a new one is fetched; errors are not kept.
    set beresp.grace = 1d;
    if (beresp.status >= 500) {
        set beresp.uncacheable = true;
    }
}

sub vcl_deliver {
    if (req.url ~ "^/s/") {
        if (obj.hits > 0) {
            set resp.http.X-Cache = "HIT";
        } else {
            set resp.http.X-Cache = "MISS";
        }
    }
    unset resp.http.Via;
    unset resp.http.X-Varnish;
}
