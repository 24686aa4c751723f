# Reference fit for the pbc2 cohort: log(serBilir) ~ year + (year | id), by lme4 and by nlme.
# Usage: Rscript pbc2_reference.R PATH/pbc2.csv
# The REML fits are the reference; the lme4 ML fit is what censored_reference.py must meet without censoring.

path <- commandArgs(trailingOnly = TRUE)
if (length(path) != 1) stop("usage: Rscript pbc2_reference.R PATH/pbc2.csv")

d <- read.csv(path)[, c("id", "year", "serBilir")]
d$id <- factor(d$id)
stopifnot(!anyNA(d), all(d$serBilir > 0))
d$y <- log(d$serBilir)

show_fit <- function(label, fixed, se, sds, correlation, sigma, loglik) {
  values <- c(
    intercept = fixed[[1]], intercept_se = se[[1]], slope = fixed[[2]], slope_se = se[[2]],
    sd_intercept = sds[[1]], sd_slope = sds[[2]], correlation = correlation, sigma = sigma
  )
  cat("\n", label, "\n", sep = "")
  cat(sprintf("  %-13s %10.6f\n", names(values), values), sep = "")
  cat(sprintf("  %-13s %10.4f\n", "loglik", loglik))
}

# lme4, with a tight optimiser tolerance; nlme below stops where it differs in the fifth digit at most.
fit_lmer <- function(reml) {
  lme4::lmer(
    y ~ year + (year | id), data = d, REML = reml,
    control = lme4::lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
  )
}
show_lmer <- function(label, fit) {
  v <- lme4::VarCorr(fit)$id
  show_fit(label, lme4::fixef(fit), sqrt(diag(as.matrix(vcov(fit)))), attr(v, "stddev"),
           attr(v, "correlation")[1, 2], stats::sigma(fit), as.numeric(logLik(fit)))
}

cat(R.version.string, "; lme4 ", as.character(packageVersion("lme4")), "; nlme ",
    as.character(packageVersion("nlme")), "\n", sep = "")
cat(nlevels(d$id), " patients, ", nrow(d), " rows\n", sep = "")
show_lmer("lme4, REML", fit_lmer(TRUE))

# nlme; parameters through its own random-effects structure.
fit <- nlme::lme(y ~ year, random = ~ year | id, data = d, method = "REML",
                 control = nlme::lmeControl(msTol = 1e-12, tolerance = 1e-10, maxIter = 200, msMaxIter = 200))
covariance <- unclass(nlme::getVarCov(fit))
show_fit("nlme, REML", nlme::fixef(fit), sqrt(diag(vcov(fit))), sqrt(diag(covariance)),
         cov2cor(matrix(covariance, 2))[1, 2], fit$sigma, as.numeric(logLik(fit)))

show_lmer("lme4, ML", fit_lmer(FALSE))
