"""The pages of the example site, and the components under /components."""

from desk import views
from django.contrib.auth.views import LoginView, LogoutView
from django.contrib.staticfiles.views import serve
from django.urls import include, path, re_path

urlpatterns = [
    path("", views.orders, name="orders"),
    path("ask", views.ask, name="ask"),
    *(path(name, views.component, {"name": name}, name=name) for name in views.PAGES),
    path("login", LoginView.as_view(template_name="desk/login.html"), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("components/", include("component_framework.adapters.django.urls")),
    # a real site has its web server send these
    re_path(r"^static/(?P<path>.*)$", serve, {"insecure": True}),
]
