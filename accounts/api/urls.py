"""Routes of API v1 that manage: accounts, users, websites."""

from accounts.api.accounts import AccountsView, AccountView
from accounts.api.users import UserKeyView, UsersView, UserView
from accounts.api.websites import WebsitesView, WebsiteView
from tinytrail.web.routes import both

urlpatterns = [
    *both("accounts", AccountsView.as_view()),
    *both("accounts/<str:id>", AccountView.as_view()),
    *both("users", UsersView.as_view()),
    *both("users/<str:id>", UserView.as_view()),
    *both("users/<str:id>/api-key", UserKeyView.as_view()),
    *both("websites", WebsitesView.as_view()),
    *both("websites/<str:id>", WebsiteView.as_view()),
]
