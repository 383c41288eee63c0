import * as ami from "@pulumi/ami-deprecation";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const imageId = config.require("imageId");

const web = new ami.AmiDeprecation("web", {
    imageId,
    deprecateAt: config.require("deprecateAt"),
    onDestroy: ami.OnDestroy.Restore,
});

// Images in another Region, or of another account, have a provider of their own.
const virginia = new ami.Provider("virginia", { region: "us-east-1" });
const copy = new ami.AmiDeprecation(
    "web-copy",
    { imageId: config.require("copyId"), deprecateAfterDays: 365 },
    { provider: virginia },
);

export const deprecationTime = web.deprecationTime;
export const copyIsDeprecatedAt = copy.deprecationTime;
export const tags = ami.getImageOutput({ imageId }).tags;
