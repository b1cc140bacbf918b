"""What people read of a drill: page, post-mortem, JUnit, Allure, the index over all."""
